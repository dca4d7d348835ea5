import { initiator, money } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { between, choice, count, flag, id, list, text, time } from './schema.ts'

const subscription = { subscription_id: id('sub_40') }
const subscriptionDetails = { customer_id: id('cus_204'), plan_id: id('pln_team') }
const interval = choice('day', 'week', 'month', 'year')
const period = { period_starts_at: time('2026-03-14T00:00:00Z'), period_ends_at: time('2026-04-14T00:00:00Z') }
const trial = { trial_id: id('trl_8'), ends_at: time('2026-03-28T09:26:53Z') }
const plan = { plan_id: id('pln_team') }

export const subscriptions = defineDomain('subscription', 'What is paid for again and again, and its trials.', {
  'subscription.created': {
    description: 'A customer subscribed to a plan; it may begin later.',
    required: { ...subscription, plan_id: id('pln_team'), price: money(4900), interval, created_at: time() },
    optional: { customer_id: id('cus_204'), quantity: count(1, 1), starts_at: time('2026-03-14T00:00:00Z') },
  },
  'subscription.activated': {
    description: 'A subscription began to run, after a trial or a first payment.',
    required: { ...subscription, ...period },
    optional: { ...subscriptionDetails, activated_at: time() },
  },
  'subscription.renewed': {
    description: 'A subscription was paid for one more period.',
    required: { ...subscription, ...period, amount: money(4900) },
    optional: { ...subscriptionDetails, invoice_id: id('inv_2026_18'), renewal_count: count(3, 1) },
  },
  'subscription.upgraded': {
    description: 'A subscription changed to a plan or a quantity that costs more.',
    required: { ...subscription, previous_plan_id: id('pln_solo'), plan_id: id('pln_team'), price: money(4900) },
    optional: { customer_id: id('cus_204'), quantity: count(5, 1), effective_at: time(), credit: money(900) },
  },
  'subscription.downgraded': {
    description: 'A subscription changed, or will change, to a plan or a quantity that costs less.',
    required: {
      ...subscription,
      previous_plan_id: id('pln_team'),
      plan_id: id('pln_solo'),
      price: money(1900),
      effective_at: time('2026-04-14T00:00:00Z'),
    },
    optional: { customer_id: id('cus_204'), quantity: count(1, 1) },
  },
  'subscription.paused': {
    description: 'A subscription stands still: nothing is delivered and nothing charged.',
    required: { ...subscription, paused_by: initiator, paused_at: time() },
    optional: { ...subscriptionDetails, resumes_at: time('2026-06-01T00:00:00Z') },
  },
  'subscription.resumed': {
    description: 'A subscription that stood still runs again.',
    required: { ...subscription, resumed_at: time('2026-06-01T00:00:00Z') },
    optional: { ...subscriptionDetails, next_charge_at: time('2026-07-01T00:00:00Z') },
  },
  'subscription.became_past_due': {
    description: 'The payment for a subscription is late; it still runs for a time of grace.',
    required: { ...subscription, amount_due: money(4900), grace_ends_at: time('2026-04-28T00:00:00Z') },
    optional: { ...subscriptionDetails, failed_attempts: count(2, 1) },
  },
  'subscription.cancelled': {
    description: 'Somebody decided that a subscription ends, now or after the period that is paid.',
    required: {
      ...subscription,
      reason: choice('price', 'missing-feature', 'unused', 'competitor', 'unpaid', 'fraud', 'other'),
      cancelled_at: time(),
      ends_at: time('2026-04-14T00:00:00Z'),
    },
    optional: { ...subscriptionDetails, cancelled_by: initiator, feedback: text('We need single sign-on.') },
  },
  'subscription.reactivated': {
    description: 'A subscription that was cancelled or had ended runs again.',
    required: { ...subscription, plan_id: id('pln_team'), reactivated_at: time('2026-05-02T00:00:00Z') },
    optional: { customer_id: id('cus_204'), days_away: count(18) },
  },
  'subscription.expired': {
    description: 'A subscription reached its end and does not run any more.',
    required: { ...subscription, expired_at: time('2026-04-14T00:00:00Z') },
    optional: { ...subscriptionDetails, was_cancelled: flag(), periods: count(4) },
  },
  'trial.started': {
    description: 'A customer began to try a plan without paying.',
    required: { ...trial, plan_id: id('pln_team'), started_at: time() },
    optional: { customer_id: id('cus_204'), card_required: flag(false) },
  },
  'trial.extended': {
    description: 'A trial will end later than was said.',
    required: { ...trial, previous_ends_at: time('2026-03-21T09:26:53Z') },
    optional: { ...subscriptionDetails, extended_by: id('usr_12'), reason: text('They waited for data.') },
  },
  'trial.converted': {
    description: 'A trial became a subscription that is paid for.',
    required: { trial_id: id('trl_8'), ...subscription, converted_at: time('2026-03-26T10:00:00Z') },
    optional: { ...subscriptionDetails, price: money(4900), days_used: count(12) },
  },
  'trial.ended': {
    description: 'A trial ran out and was not followed by a subscription.',
    required: { trial_id: id('trl_8'), ended_at: time('2026-03-28T09:26:53Z') },
    optional: { ...subscriptionDetails, days_used: count(9) },
  },
  'usage.recorded': {
    description: 'An amount of something that is charged by use was counted.',
    required: { ...subscription, meter: text('api-calls'), quantity: between(0, 1e15, 12_500), ...period },
    optional: { ...subscriptionDetails, unit: text('call') },
  },
  'plan.published': {
    description: 'A plan can be subscribed to from now on.',
    required: { ...plan, name: text('Team'), price: money(4900), interval },
    optional: { features: list(text('single sign-on')), trial_days: count(14), published_at: time() },
  },
  'plan.retired': {
    description: 'A plan cannot be subscribed to any more; those who have it keep it or move.',
    required: { ...plan, retired_at: time() },
    optional: { successor_plan_id: id('pln_team_2'), subscriber_count: count(48) },
  },
})
