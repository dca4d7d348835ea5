import { jsonlFile } from './jsonl-file.ts'

// For jsonl-file.slow.test.ts, which kills it: writes records without end, and says which of them are on disk.
const [path = '', name = ''] = process.argv.slice(2)
const file = jsonlFile(path)

async function writeOn(lane: number): Promise<never> {
  for (let n = 0; ; n += 1) {
    const id = `${name}-${lane}-${n}`
    await file.write({
      dead_letter_id: id,
      at: new Date().toISOString(),
      url: 'http://127.0.0.1:8000/v1/events',
      event: { event_type: 'a', payload: { text: 'x'.repeat((n * 7919) % 200_000) } },
      idempotency_key: id,
      attempts: 1,
      status: null,
      error: { message: 'no' },
    })
    process.stdout.write(`${id}\n`)
  }
}

await Promise.all([0, 1, 2, 3].map(writeOn))
