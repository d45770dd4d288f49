"""What all stages share: environment, measuring, material, report."""
