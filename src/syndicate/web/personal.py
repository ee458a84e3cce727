"""A reader's own data: seen as JSON, or erased. By a fresh link that works for a day; GET shows a button, POST does it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from syndicate.publish import signup
from syndicate.web import asked as readers
from syndicate.web.layout import publication

if TYPE_CHECKING:
    from starlette.requests import Request


async def export(request: Request) -> Response:
    """``/export/{token}``: GET shows one button, POST gives everything that is kept as a JSON file."""
    asked = await run_in_threadpool(readers.fresh, request, "export")
    if request.method != "POST" or asked.view is None:
        return await run_in_threadpool(readers.sheet, request, "export", asked)
    app = publication(request)
    found = await run_in_threadpool(signup.record, app, asked.token.subscriber)
    if found is None:
        raise HTTPException(410, "Nothing is kept about this reader any more.")
    return Response(
        json.dumps(found, ensure_ascii=False, indent=2) + "\n",
        media_type="application/json",
        headers={
            "Content-Disposition": 'attachment; filename="subscription.json"',
            "Cache-Control": "no-store",
            "X-Robots-Tag": "noindex",
        },
    )


async def erase(request: Request) -> Response:
    """``/erase/{token}``: GET asks once more, POST erases everything; doing it again is harmless."""
    asked = await run_in_threadpool(readers.fresh, request, "erase")
    done = request.method == "POST"
    if done:
        app = publication(request)
        await run_in_threadpool(signup.erase, app, asked.token.subscriber, app.now())
        asked = await run_in_threadpool(readers.fresh, request, "erase")
    return await run_in_threadpool(readers.sheet, request, "erase", asked, done=done)
