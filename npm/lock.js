/** A lock that is a folder, because making a folder is the one step that every file system does atomically. */

import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unwritable } from "./errors.js";

const POLL_MS = 100;
const HEARTBEAT_MS = 5_000;

/** Longer than any pause of a living owner that beats every five seconds, short enough to wait for. */
const STALE_AFTER_MS = 60_000;

const held = new Set();

/** Waits until the lock is ours; `onWait` learns the pid of its owner. */
export async function takeLock(folder, { onWait, signal }) {
  const token = randomUUID();
  while (!tryToMake(folder)) {
    signal?.throwIfAborted();
    if (isStale(folder)) breakLock(folder);
    else {
      onWait(readOwner(folder)?.pid);
      await sleep(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
  held.add(token);
  sign(folder, token);
  const heartbeat = setInterval(() => touch(folder), HEARTBEAT_MS).unref();
  return {
    release() {
      clearInterval(heartbeat);
      held.delete(token);
      // A lock that was taken from us while the machine slept belongs to somebody else by now.
      if (readOwner(folder)?.token === token) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Whether a process of this machine is alive; one that belongs to another user counts as alive. */
export function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function tryToMake(folder) {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw unwritable(folder, error);
  }
}

function sign(folder, token) {
  const path = join(folder, "owner.json");
  try {
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname(), token }));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw unwritable(path, error);
  }
}

/** A dead owner, or a silent one: it may live on another machine, or its pid may have been given to somebody else. */
function isStale(folder) {
  const owner = readOwner(folder);
  if (owner?.host === hostname() && !isAlive(owner)) return true;
  return ageOf(folder) > STALE_AFTER_MS;
}

/** A restarted container gives the same pid again, so our own pid with a token that is not ours is a dead owner's. */
function isAlive({ pid, token }) {
  return pid === process.pid ? held.has(token) : isRunning(pid);
}

/** Only one process at a time may break a lock; a second one could break the successor's instead. */
function breakLock(folder) {
  const permit = `${folder}.break`;
  if (!tryToMake(permit)) {
    if (ageOf(permit) > STALE_AFTER_MS) rmSync(permit, { recursive: true, force: true });
    return;
  }
  try {
    if (isStale(folder)) rmSync(folder, { recursive: true, force: true });
  } finally {
    rmSync(permit, { recursive: true, force: true });
  }
}

function readOwner(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, "owner.json"), "utf8"));
  } catch {
    return undefined;
  }
}

function ageOf(folder) {
  try {
    return Date.now() - statSync(folder).mtimeMs;
  } catch {
    return 0;
  }
}

function touch(folder) {
  try {
    utimesSync(folder, new Date(), new Date());
  } catch {
    // The lock was broken meanwhile; `release` sees that too, and leaves it alone.
  }
}
