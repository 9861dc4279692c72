"""Is this proof right? What Lean or Rocq says of our own statement decides; see ``checks.ProofChecker``."""
