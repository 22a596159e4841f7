"""What a service takes on at once.

``interceptor`` lets calls in, ``room`` shares out what there is of a thing, ``wire_values`` counts what a message holds, unparsed.
"""
