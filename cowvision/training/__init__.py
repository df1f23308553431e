"""Training: transfer learning on annotated pictures, and the recipes of the two embedded models."""
