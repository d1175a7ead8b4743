"""Many boards out of one process: recorded events played into a broker, and a subscriber that counts what arrives.

A tool beside the appliance: nothing of the appliance imports it.
"""
