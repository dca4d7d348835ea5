import { spawnSync } from 'node:child_process'

export type UnprivilegedUser = { readonly uid: number; readonly gid: number }

/**
 * Whom to run a server as that refuses to be root, as Postgres and PgBouncer do. Undefined if this process is not root: it
 * needs no other user. With neither a user `postgres` nor the right to create one, it is `nobody`.
 */
export function findUnprivilegedUser(): UnprivilegedUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const user = findUser('postgres') ?? createUser('postgres') ?? findUser('nobody')
  if (user === undefined)
    throw new Error('Postgres refuses to run as root, and there is no user "postgres" or "nobody"')
  return user
}

function findUser(name: string): UnprivilegedUser | undefined {
  // A server needs a user with a name, not only a number: initdb looks it up.
  const [uid, gid] = ['-u', '-g'].map((what) => spawnSync('id', [what, name], { encoding: 'utf8' }).stdout?.trim())
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined
}

function createUser(name: string): UnprivilegedUser | undefined {
  spawnSync('useradd', ['--system', '--no-create-home', '--shell', '/bin/false', name], { stdio: 'ignore' })
  return findUser(name)
}
