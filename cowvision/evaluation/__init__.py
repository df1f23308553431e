"""How well detections agree with ground truth, and which of two models does better."""
