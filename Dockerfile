# fleettwin without the embedded servers: the services of infra/compose.yaml.
# Every package is the one in requirements.lock, hashes checked, the development tools left out.
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements.lock pyproject.toml ./
RUN sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^    --hash/p}' requirements.lock > uv.lock \
    && pip install --no-cache-dir --require-hashes --requirement uv.lock \
    && uv pip install --system --no-cache --constraint requirements.lock hatchling \
    && uv venv /opt/fleettwin \
    && uv pip install --python /opt/fleettwin --no-cache --require-hashes --compile-bytecode \
        --constraint requirements.lock --requirement pyproject.toml --extra nvidia --extra amd --extra redfish
COPY . .
RUN python -m hatchling build --target wheel --directory /wheels \
    && uv pip install --python /opt/fleettwin --no-cache --no-index --no-deps --compile-bytecode /wheels/*.whl

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent fleettwin
COPY --from=build /opt/fleettwin /opt/fleettwin
ENV PATH=/opt/fleettwin/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /tmp
USER fleettwin
ENTRYPOINT ["fleettwin"]
