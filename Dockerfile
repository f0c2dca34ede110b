# The services, small and not as root: `docker build -t checkout .`
FROM python:3.12-slim AS build
WORKDIR /build
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY domain domain
COPY projections projections
COPY services services
RUN python -m venv /opt/checkout \
    && grep -vE '^(confluent-kafka|fakeredis|lupa|hypothesis|import-linter|grimp|mypy|mypy-extensions|ast-serialize|librt|pathspec|pytest|pytest-asyncio|pytest-cov|coverage|ruff|cloudevents|jsonschema)' \
        requirements.lock > runtime.lock \
    && /opt/checkout/bin/pip install --no-cache-dir --requirement runtime.lock \
    && /opt/checkout/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home checkout \
    && install -d -o checkout /var/lib/checkout
COPY --from=build /opt/checkout /opt/checkout
COPY domain/demo_book.toml /etc/checkout/merchant.toml
ENV PATH=/opt/checkout/bin:$PATH PYTHONUNBUFFERED=1
USER checkout
EXPOSE 8000
ENTRYPOINT ["checkout"]
CMD ["--help"]
