import type { LocalAdmin } from '@sluice/hub'
import { toCause, type Check } from './check.ts'

/** Does a store open, and is there a way in? @param cure what to do if it does not */
export async function checkOpens(open: () => Promise<LocalAdmin>, cure: string): Promise<Check> {
  const name = 'store'
  try {
    const admin = await open()
    try {
      const { keys } = await admin.listKeys({ limit: 200, status: 'active' })
      if (keys.some((key) => key.role === 'admin'))
        return { name, status: 'ok', found: `opens; ${keys.length} active keys` }
      return {
        name,
        status: 'warn',
        found: 'opens; no active admin key',
        todo: 'sluice keys create --user-id YOU --role admin',
      }
    } finally {
      await admin.close()
    }
  } catch (error) {
    return { name, status: 'fail', found: `does not open: ${toCause(error)}`, todo: cure }
  }
}
