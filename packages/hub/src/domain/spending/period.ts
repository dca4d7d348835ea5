import { dayMs } from '../../store/spending.ts'

/** A day or a month of the calendar, in UTC; days are those since 1970. */
export type Period = { readonly fromDay: number; readonly toDay: number; readonly endMs: number }

export function toPeriod(period: 'day' | 'month', nowMs: number): Period {
  const now = new Date(nowMs)
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()]
  const startMs = period === 'month' ? Date.UTC(year, month, 1) : Math.floor(nowMs / dayMs) * dayMs
  const endMs = period === 'month' ? Date.UTC(year, month + 1, 1) : startMs + dayMs
  return { fromDay: startMs / dayMs, toDay: endMs / dayMs - 1, endMs }
}

export const toDay = (date: string): number => Date.parse(`${date}T00:00:00Z`) / dayMs

export const toDate = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10)
