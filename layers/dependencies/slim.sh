#!/usr/bin/env bash
# Takes out of an installed set of packages what no function needs at run time. Licences and metadata stay.
set -euo pipefail
cd "$1"

# Services that the platform calls; `make check-template` fails when the code names another one.
services="codedeploy kms s3 scheduler sqs sts"

rm -rf bin .lock boto3/examples
find . -type d \( -name tests -o -name test -o -name __pycache__ \) -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.c' -o -name '*.h' -o -name '*.map' \) -delete
find . -type f -path '*.dist-info/*' \( -name RECORD -o -name INSTALLER -o -name REQUESTED \) -delete
for kind in botocore/data boto3/data; do
  for folder in "$kind"/*/; do
    service=$(basename "$folder")
    case " $services " in *" $service "*) ;; *) rm -rf "$folder" ;; esac
  done
done
