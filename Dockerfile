# The image of the services, without root: `docker build -t checkout .`
FROM python:3.12-slim AS build
WORKDIR /build
RUN python -m venv /opt/checkout
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY domain domain
COPY projections projections
COPY services services
# As a constraint, the lock file pins the dependencies of the services and adds none of development.
RUN /opt/checkout/bin/pip install --no-cache-dir --constraint requirements.lock '.[otel]' \
    && /opt/checkout/bin/pip uninstall --yes pip

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home checkout \
    && install -d -o checkout -m 0700 /var/lib/checkout
COPY --from=build /opt/checkout /opt/checkout
COPY domain/demo_book.toml /etc/checkout/merchant.toml
ENV PATH=/opt/checkout/bin:$PATH PYTHONUNBUFFERED=1
USER checkout
EXPOSE 8000
ENTRYPOINT ["checkout"]
CMD ["--help"]
