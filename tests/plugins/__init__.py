"""pytest plugins of this repository; pyproject.toml loads them."""
