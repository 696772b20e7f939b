"""What people run beside the hub: the command line, simulators, the local cloud, benchmarks."""
