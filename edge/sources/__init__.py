"""Where sound comes from: a microphone, a recording, any command that prints PCM. `open.py` picks one by its kind."""
