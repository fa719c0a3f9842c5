#!/usr/bin/env python3
"""Mixed requests to one `choir generate --jsonl` for a long time: texts of all kinds, prompts that share a beginning, bad
lines, streams, one request in twenty cancelled.  Resident memory may grow by 1 % (and 1 MiB) after the first tenth of the
time, descriptors and threads not at all, every request is answered, and the exit code is 3 (for the bad lines).

usage: soak.py CHOIR SECONDS"""
import json
import os
import random
import subprocess
import sys
import threading
import time


def requests(rng):
    """Lines without end, and the id each of them is answered under (None: a bad line, or no answer)."""
    stories = ["Once upon a time", "Once upon a time there was a cat who", "The dog", "", "Lily and Tom went to the park. " * 8]
    n = 0
    while True:
        n += 1
        kind = rng.random()
        if kind < 0.04:
            yield None, '{"prompt": "x", "max_tokens": "many", "id": %d}' % n
            continue
        r = {"id": n, "prompt": rng.choice(stories) + rng.choice(["", " red", " and then", " \u00e9\u4e2d"]),
             "max_tokens": rng.randint(1, 60), "seed": n, "temperature": rng.choice([0, 0.8, 1.3])}
        if kind < 0.2:
            r["n"] = rng.randint(2, 5)
        elif kind < 0.4:
            r["stop"] = [".", "the"]
        elif kind < 0.5:
            r["stream"] = True
        elif kind < 0.6:
            r["prompt"] = [rng.randint(3, 500) for _ in range(rng.randint(1, 40))]
        elif kind < 0.65:
            r.update(top_k=5, repeat_penalty=1.2, min_p=0.1)
        yield n, json.dumps(r)
        if rng.random() < 0.05:
            yield None, json.dumps({"cancel": n})


class Answers(threading.Thread):
    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream, self.n, self.errors, self.cancelled, self.last = stream, 0, 0, 0, 0

    def run(self):
        for line in self.stream:
            a = json.loads(line)
            if "error" in a:
                self.errors += 1
                continue
            ends = [c["finish_reason"] for c in a["choices"]]
            if any(ends) or not ends:
                self.n += 1
                self.last = a["id"]
                self.cancelled += "cancelled" in ends


def measure(pid):
    status = dict(l.split(":", 1) for l in open(f"/proc/{pid}/status") if ":" in l)
    return {"rss": int(status["VmRSS"].split()[0]), "threads": int(status["Threads"]),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd"))}


def main():
    choir, seconds = sys.argv[1], float(sys.argv[2])
    rng = random.Random(1)
    child = subprocess.Popen([choir, "generate", "--jsonl", "-t", "2", "--n-seqs", "8", "-c", "512"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    answers = Answers(child.stdout)
    answers.start()
    begun, sent, cancels, samples, at = time.time(), 0, 0, [], 0
    for ident, line in requests(rng):
        now = time.time() - begun
        if now > seconds:
            break
        child.stdin.write(line + "\n")
        sent += ident is not None
        cancels += line.startswith('{"cancel"')
        while sent - answers.n > 200 and child.poll() is None and time.time() - begun < seconds:
            time.sleep(0.01)
        if now > at:
            at = now + seconds / 100
            samples.append((now, answers.n, measure(child.pid)))
    late = [s[2] for s in samples if s[0] > seconds / 10 and s[1] > 100]
    child.stdin.close()
    code = child.wait()
    answers.join(60)
    print(f"soak: {seconds:.0f} s, {sent} requests, {answers.n} answered, {answers.cancelled} of {cancels} cancelled, "
          f"{answers.errors} refused")
    wrong = []
    if len(late) < 10:
        wrong.append("too few answers to judge by")
    else:
        first, last = max(x["rss"] for x in late[:3]), max(x["rss"] for x in late[-3:])
        print(f"soak: resident {first} KiB, at the end {last} KiB; threads {late[0]['threads']}, {late[-1]['threads']}; "
              f"descriptors {late[0]['descriptors']}, {late[-1]['descriptors']}")
        if last > first * 1.01 + 1024:
            wrong.append("resident memory grows")
        wrong += [f"{k} change" for k in ("threads", "descriptors") if len({x[k] for x in late}) > 1]
    if code != 3:
        wrong.append(f"exit code {code}")
    if answers.cancelled < cancels / 2:  # the others had ended before they were
        wrong.append("requests that were to be cancelled were not")
    if answers.n != sent:
        wrong.append(f"{sent - answers.n} requests without an answer")
    for w in wrong:
        print("soak:", w)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
