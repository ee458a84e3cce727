"""The desk: the editors' pages, served by ``run`` at ``/desk``. Reads the ledger and acts through the rooms below alone.

A page is one file here and one template in ``paper/``. To add one:

1. Write ``web/desk/NOUN.py``: functions that take a ``Visit`` and return ``visit.sheet("NOUN", …)`` for what is looked
   at, or ``visit.go("/NOUN", did="…")`` after an act; and ``WAYS``, a tuple of ``view(path, function)`` and
   ``act(path, function, roles=…)``. Paths begin below ``/desk``. An act is a POST: session, CSRF token, origin and roles
   are checked before the function is called. A ``SyndicateError`` becomes a page that says its sentence.
2. Write ``paper/NOUN.html.j2``: ``{% extends "_frame.html.j2" %}`` with the blocks ``title`` and ``main``. A form says
   ``{% include "_token.html.j2" %}`` once. No inline style and no inline script: the policy forbids both. Shapes come
   from ``_shapes``.
3. Name the module in ``frame.PAGES``, and its entry in ``rail.NAV`` if it has one.
4. Test it with ``tests/atdesk.py``: ``signed_in(serving, "Mara")`` is a client, ``enter(browser, serving, "Mara")`` a browser.

Whoever is signed in looks and holds. The rest needs a role: ``ways.EDITORS`` for what goes out, ``ways.VERIFIERS`` and
``ways.APPROVERS`` for quotes.
"""
