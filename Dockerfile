# The image of pilotfish. Any image with Python 3.11 or newer, its venv module and glibc can be the base.
ARG BASE=docker.io/library/python
ARG TAG=3.13-slim-bookworm

FROM ${BASE}:${TAG} AS build
# For networks with a mirror or an authority of their own; pip reads them.
ARG PIP_INDEX_URL
ARG PIP_CERT
COPY requirements/runtime.lock /build/
RUN python3 -m venv --without-pip /opt/pilotfish \
 && python3 -m venv /build/pip \
 && /build/pip/bin/pip --no-cache-dir --python /opt/pilotfish/bin/python \
        install --require-hashes --only-binary :all: --requirement /build/runtime.lock
COPY LICENSE /opt/pilotfish/
COPY src/pilotfish /build/pilotfish
RUN mv /build/pilotfish "$(/opt/pilotfish/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
 && printf '#!/opt/pilotfish/bin/python\nfrom pilotfish.__main__ import main\n\nmain()\n' > /opt/pilotfish/bin/pilotfish \
 && chmod 755 /opt/pilotfish/bin/pilotfish \
 && /opt/pilotfish/bin/python -m compileall -q /opt/pilotfish/lib

FROM ${BASE}:${TAG}
# The base may bring pip; nothing is installed from here on.
RUN if python3 -c 'import pip' 2>/dev/null; then python3 -m pip uninstall --yes --quiet pip; fi
COPY --from=build /opt/pilotfish /opt/pilotfish
ENV PATH=/opt/pilotfish/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["pilotfish"]
CMD ["run"]
