"""The Modbus engine: planner, schedule, arbiter, breaker, and the adapters to serial lines and TCP."""
