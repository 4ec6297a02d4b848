# syntax=docker/dockerfile:1
# The images of EduHub: one target per program, from one build.
#
#   docker build --target registry --tag eduhub/registry:0.1.0 \
#     --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" .
#
# scripts/image makes the same images without an engine: it reads the stages below `FROM scratch` from this file, so
# they are written once. It knows ARG, COPY --from=build, ENV, LABEL, USER, WORKDIR, STOPSIGNAL, ENTRYPOINT and CMD.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/cache,sharing=locked \
    CARGO_TARGET_DIR=/cache scripts/lib/image/compile /out \
    && scripts/lib/image/rootfs /rootfs /out/*

# What all images share: the C library, the roots of TLS, a user. No shell, no package manager.
FROM scratch AS base
ARG VERSION=unknown
ARG REVISION=unknown
COPY --from=build /rootfs/ /
ENV PATH=/usr/bin
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /
USER 65532:65532
STOPSIGNAL SIGTERM
LABEL org.opencontainers.image.vendor="EduHub"
LABEL org.opencontainers.image.licenses="Apache-2.0"
LABEL org.opencontainers.image.version="${VERSION}"
LABEL org.opencontainers.image.revision="${REVISION}"

FROM base AS identity
LABEL org.opencontainers.image.title="eduhub identity"
COPY --from=build /out/eduhub-identity /usr/bin/eduhub-identity
ENTRYPOINT ["/usr/bin/eduhub-identity"]
CMD ["serve"]

FROM base AS registry
LABEL org.opencontainers.image.title="eduhub registry"
COPY --from=build /out/eduhub-registry /usr/bin/eduhub-registry
ENTRYPOINT ["/usr/bin/eduhub-registry"]
CMD ["serve"]

FROM base AS facility
LABEL org.opencontainers.image.title="eduhub facility"
COPY --from=build /out/eduhub-facility /usr/bin/eduhub-facility
ENTRYPOINT ["/usr/bin/eduhub-facility"]
CMD ["serve"]

FROM base AS approval
LABEL org.opencontainers.image.title="eduhub approval"
COPY --from=build /out/eduhub-approval /usr/bin/eduhub-approval
ENTRYPOINT ["/usr/bin/eduhub-approval"]
CMD ["serve"]

FROM base AS ministry-bridge
LABEL org.opencontainers.image.title="eduhub ministry-bridge"
COPY --from=build /out/eduhub-ministry-bridge /usr/bin/eduhub-ministry-bridge
ENTRYPOINT ["/usr/bin/eduhub-ministry-bridge"]
CMD ["serve"]

FROM base AS cli
LABEL org.opencontainers.image.title="eduhub cli"
COPY --from=build /out/eduhub /usr/bin/eduhub
ENTRYPOINT ["/usr/bin/eduhub"]
CMD ["--help"]
