"""CoTnPoT: is a solution in words borne out by a program that takes the same steps?

Liang et al. 2024 (arXiv 2410.05318): a coder model re-writes the solution as a program, the program is run,
and solutions whose program fails or comes to another answer are dropped. See ``check.ProgramCheck``. For code
it goes the other way round: ``describe`` puts a program into words, to be scored with it.
"""
