import { parentPort, workerData } from 'node:worker_threads'
import { DatabaseSync } from 'node:sqlite'

/** Copies the write-ahead log into the database file while the writer goes on. */
const db = new DatabaseSync(workerData as string, { timeout: 10_000 })
db.exec('pragma synchronous = full; pragma wal_autocheckpoint = 0')
parentPort?.on('message', (message: 'checkpoint' | 'close') => {
  if (message === 'close') {
    db.close()
    return parentPort?.close()
  }
  try {
    db.exec('pragma wal_checkpoint(passive)')
  } catch {
    // A full disk: the log keeps what is not copied yet, and the next round tries again.
  }
  parentPort?.postMessage('done')
})
