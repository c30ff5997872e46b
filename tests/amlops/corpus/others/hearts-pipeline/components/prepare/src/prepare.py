import argparse
import glob
import os
import shutil

parser = argparse.ArgumentParser()
for name in ("data_path", "limits_path", "encoding", "prepared_data_path", "limits_output_path"):
    parser.add_argument(f"--{name}")
args = parser.parse_args()

limit = float(open(os.path.join(args.limits_path, "limit.txt")).read())
for path in glob.glob(os.path.join(args.data_path, "*.csv")):
    header, *rows = open(path).read().split()
    with open(os.path.join(args.prepared_data_path, os.path.basename(path)), "w") as out:
        out.write("\n".join([header, *(str(float(row) / limit) for row in rows)]))
shutil.copytree(args.limits_path, args.limits_output_path, dirs_exist_ok=True)
