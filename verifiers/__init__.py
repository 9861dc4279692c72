"""Is this sample right, and which sample do we pick?

From a reply to a pick, in reading order: ``answers`` finds the answer a reply gives, ``normal`` says when two
answers are the same, ``known`` judges one against a known answer, ``picks`` chooses one by majority, and
``rules`` by rewards and by programs that agree.
``safe_text`` makes model text fit to be shown. The package imports nothing of the application.
"""
