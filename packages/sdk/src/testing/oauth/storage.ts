import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

/** What the provider knows, in memory: one for each provider, so that nothing is left behind. */
export function createStorage(): AdapterFactory {
  const rows = new Map<string, AdapterPayload>()
  return (model): Adapter => {
    const findBy = async (member: 'uid' | 'userCode', value: string): Promise<AdapterPayload | undefined> =>
      [...rows].find(([key, row]) => key.startsWith(`${model}:`) && row[member] === value)?.[1]
    return {
      upsert: async (id, payload) => void rows.set(`${model}:${id}`, payload),
      find: async (id) => rows.get(`${model}:${id}`),
      findByUid: (uid) => findBy('uid', uid),
      findByUserCode: (code) => findBy('userCode', code),
      consume: async (id) => {
        const row = rows.get(`${model}:${id}`)
        if (row) row.consumed = Math.floor(Date.now() / 1000)
      },
      destroy: async (id) => void rows.delete(`${model}:${id}`),
      revokeByGrantId: async (grantId) => {
        for (const [key, row] of rows) if (row.grantId === grantId) rows.delete(key)
      },
    }
  }
}
