"""A local HTTP server that speaks the interfaces of Allegro, Ozon and Wildberries, with goods and orders of its own.

It imports nothing of Django and nothing that is not in Python itself: it runs as a program beside the shop.
"""
