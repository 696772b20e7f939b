"""The whole cloud side on one machine: REST over our migrations, and the functions beside it."""
