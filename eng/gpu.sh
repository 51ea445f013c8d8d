#!/bin/sh
# Builds Lethe and runs its GPU tests and benchmarks, with the libtorch that has CUDA: LETHE_LIBTORCH, or else that of `python3 -c 'import torch'`.
# Fails where there is no CUDA device, instead of skipping.
set -eu
cd "$(dirname "$0")/.."
dotnet build -c Release tests/Lethe.Torch.Tests -v q --nologo
dotnet build -c Release benchmarks/Lethe.Benchmarks -v q --nologo
benchmarks() { dotnet run -c Release --no-build --project benchmarks/Lethe.Benchmarks -- "$@"; }
benchmarks optimizer-step 1 cuda
dotnet test tests/Lethe.Torch.Tests -c Release --no-build --nologo --filter category=gpu
LETHE_PEER_PYTHON=${LETHE_PEER_PYTHON:-python3} benchmarks call-overhead
