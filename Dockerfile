# The image of holdshort: one static binary and the certificates it trusts.
#
# Meant for COPY --from= into an app's image, whatever that is made of, or as a container beside the app's
# (fly/deploy). Not for adding to: there is no shell.
FROM debian:trixie-slim AS build
WORKDIR /src
# By itself, so that a change of the sources does not fetch the packages again.
COPY script/bootstrap script/bootstrap
RUN script/bootstrap && apt-get install -y -q --no-install-recommends binutils-gold
COPY . .
# ccache's folder outlives the layer, so that the next build of a change is quick.
RUN --mount=type=cache,target=/root/.cache/ccache \
    cmake --preset release && cmake --build --preset release --parallel "$(nproc)"

FROM scratch
LABEL org.opencontainers.image.title="holdshort" \
      org.opencontainers.image.description="Holds a Fly Machine short of traffic until its security controls have been seen to work" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /LICENSE
COPY --from=build /src/build/release/holdshort /holdshort
# No name is needed: there is no /etc/passwd.
USER 65532:65532
ENTRYPOINT ["/holdshort"]
CMD ["run"]
