"""The JSON API: its middleware, its editions, its description and its documentation page."""
