"""Ways to begin and to end a function:
def not_this():
"""
import functools


class Hub:
    names = {"def": [1, 2],
             'class': '''
    def nor_this(self):
'''}

    @functools.lru_cache(
        maxsize=None)
    async def get(self, key="#", *,
                  other='\''):
        def inner():
            return f"{key}" \
                "x"
        return inner

    class Inner(object):
        def deep(self): return r'\'

	# a comment with a tab


def last(): pass
