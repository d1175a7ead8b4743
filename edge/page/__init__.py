"""The page in the browser: a process of its own, which knows the appliance by its watch socket, its journal and its
state directory only. Nothing of the appliance imports it."""
