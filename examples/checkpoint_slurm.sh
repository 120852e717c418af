#!/usr/bin/env bash
# Write a checkpoint as a Slurm array, one part per task, to a folder that all nodes share. A task that is
# killed and started again continues where it was. The arguments are those of `fanfill init`:
#
#   sbatch examples/checkpoint_slurm.sh deepseek-v3 --out /shared/deepseek --max-shard-size 5GB
#
#SBATCH --array=1-8
#SBATCH --cpus-per-task=16
#SBATCH --time=01:00:00
#SBATCH --requeue
set -euo pipefail

fanfill init "$@" --resume \
  --part "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --threads "$SLURM_CPUS_PER_TASK"
