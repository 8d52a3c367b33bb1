FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# timetzdata: an empty image has no time zones of its own.
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags timetzdata -ldflags="-s -w" -o /out/cdrstore ./cmd/cdrstore \
 && mkdir /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/cdrstore /cdrstore
# A new volume takes over the owner of the directory that it is mounted on.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV CDRSTORE_LISTEN=0.0.0.0:8080 CDRSTORE_DATA_DIR=/data
EXPOSE 8080
ENTRYPOINT ["/cdrstore"]
CMD ["serve"]
