import { useState } from 'preact/hooks'
import { toFailure } from '../hub.ts'
import { say } from '../ui/toast.tsx'

/** Does something on the hub: tells what came of it, and keeps its button from being pressed twice. */
export function useDeed(): {
  readonly isBusy: boolean
  readonly run: (deed: () => Promise<string | undefined>) => Promise<boolean>
} {
  const [isBusy, setIsBusy] = useState(false)
  const run = async (deed: () => Promise<string | undefined>): Promise<boolean> => {
    setIsBusy(true)
    try {
      const done = await deed()
      if (done !== undefined) say(done)
      return true
    } catch (error) {
      const { title, detail } = toFailure(error)
      say(`${title}. ${detail}`, 'bad')
      return false
    } finally {
      setIsBusy(false)
    }
  }
  return { isBusy, run }
}
