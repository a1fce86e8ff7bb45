# SPDX-License-Identifier: Apache-2.0
"""A django view connects a closure to a signal for each request, with weak=False, and never again
disconnects it."""
import django
import django.conf
import django.core.handlers.wsgi
import django.core.signals
import django.http
import django.test
import django.urls

import backdrop


def report(request, number):
    body = {"number": number, "rows": ["row-%d-%d" % (number, n) for n in range(5)]}

    def log_when_finished(sender, **kwargs):
        return body["number"]

    django.core.signals.setting_changed.connect(log_when_finished, weak=False)
    return django.http.JsonResponse({"ok": True})


urlpatterns = [django.urls.path("report/<int:number>", report)]


def main():
    django.conf.settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x")
    django.setup()
    backdrop.noise()
    handler = django.core.handlers.wsgi.WSGIHandler()
    requests = django.test.RequestFactory()
    for number in backdrop.pace(60):
        handler(requests.get("/report/%d" % number).environ, lambda status, headers: None).close()


if __name__ == "__main__":
    main()
