"""Public measurements of real machines, as logs that the twin folds like any other."""
