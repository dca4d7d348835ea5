import { createInterface } from 'node:readline/promises'
import { CommandError, exitCodes } from './exit.ts'

/** Asks a person; a script that names what it deletes is taken at its word. @throws CommandError unless the answer is yes */
export async function confirm(question: string, yes: boolean | undefined): Promise<void> {
  if (yes || !process.stdin.isTTY || !process.stderr.isTTY) return
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await prompt.question(`${question} [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError(exitCodes.failed, 'nothing was done')
  } finally {
    prompt.close()
  }
}
