import type { LocalAdmin } from '@sluice/hub'
import { toCause, type Check } from './check.ts'

/** Do the secrets of connections, keys and sources open with the secret key, and is one of before still needed? */
export async function checkSecrets(open: () => Promise<LocalAdmin>): Promise<Check> {
  const name = 'secrets'
  try {
    const admin = await open()
    try {
      return toCheck(await admin.countSealed())
    } finally {
      await admin.close()
    }
  } catch (error) {
    return { name, status: 'fail', found: `cannot be read: ${toCause(error)}`, todo: 'see to the store first' }
  }
}

function toCheck(counts: { earlier: number; lost: number } | undefined): Check {
  const name = 'secrets'
  if (!counts) return { name, status: 'ok', found: 'not looked at: SLUICE_SECRET_KEY is not set here' }
  const { earlier, lost } = counts
  if (lost > 0)
    return {
      name,
      status: 'fail',
      found: `${lost} were sealed with a secret key that is not in SLUICE_SECRET_KEY`,
      todo: 'add that one behind the present one (SLUICE_SECRET_KEY=new,old), or connect and rotate anew',
    }
  if (earlier === 0) return { name, status: 'ok', found: 'all under the present secret key' }
  return {
    name,
    status: 'warn',
    found: `${earlier} are still under an earlier secret key`,
    todo: 'keep that one in SLUICE_SECRET_KEY until a hub that was started with both has run for two minutes',
  }
}
