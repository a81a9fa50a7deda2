"""NVIDIA's accelerators, asked through NVML."""
