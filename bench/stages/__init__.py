"""One module for each stage: what is measured, how, and the targets."""
