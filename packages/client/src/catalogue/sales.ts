import { changedFields, lineItem, money, utm } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { between, choice, count, date, id, list, percent, text, time, url } from './schema.ts'

const lead = { lead_id: id('led_19') }
const deal = { deal_id: id('del_8') }
const dealDetails = { name: text('200 mugs for the office'), organization_id: id('org_31'), owner_id: id('usr_12') }
const stage = { pipeline_id: id('ppl_1'), stage: text('proposal') }
const quote = { quote_id: id('quo_44') }
const quoteDetails = { deal_id: id('del_8'), customer_id: id('cus_204'), quote_number: text('Q-2026-44') }

export const sales = defineDomain('sales', 'From a first interest to a signed deal: leads, deals, quotes.', {
  'lead.created': {
    description: 'Somebody who may buy became known to the sales people.',
    required: {
      ...lead,
      origin: choice('form', 'call', 'event', 'referral', 'import', 'ad', 'chat', 'other'),
      created_at: time(),
    },
    optional: {
      organization_name: text('Okafor Ceramics Inc.'),
      job_title: text('office manager'),
      utm,
      note: text('Wants a logo.'),
    },
  },
  'lead.assigned': {
    description: 'A lead got a person who takes care of it.',
    required: { ...lead, owner_id: id('usr_12') },
    optional: { previous_owner_id: id('usr_9'), assigned_by: choice('rule', 'staff'), assigned_at: time() },
  },
  'lead.contacted': {
    description: 'Somebody of the sales people spoke or wrote to a lead.',
    required: { ...lead, channel: choice('call', 'email', 'sms', 'meeting', 'chat', 'social'), contacted_at: time() },
    optional: { owner_id: id('usr_12'), was_reached: choice('yes', 'no', 'unknown') },
  },
  'lead.scored': {
    description: 'The estimate of how likely a lead is to buy was made anew.',
    required: { ...lead, score: between(0, 100, 72), previous_score: between(0, 100, 55) },
    optional: { grade: choice('A', 'B', 'C', 'D'), causes: list(text('asked for prices')), scored_at: time() },
  },
  'lead.qualified': {
    description: 'A lead was found to be worth the work of selling.',
    required: { ...lead, qualified_by: id('usr_12'), qualified_at: time() },
    optional: { budget: money(400_000), expected_on: date('2026-05-31') },
  },
  'lead.disqualified': {
    description: 'A lead was found not to be worth the work of selling.',
    required: {
      ...lead,
      reason: choice('no-budget', 'no-need', 'no-answer', 'competitor', 'spam', 'other'),
      disqualified_at: time(),
    },
    optional: { disqualified_by: id('usr_12') },
  },
  'lead.converted': {
    description: 'A lead became a customer or a deal.',
    required: { ...lead, converted_at: time() },
    optional: { customer_id: id('cus_204'), deal_id: id('del_8'), organization_id: id('org_31') },
  },
  'deal.created': {
    description: 'A chance to sell was written down and got a place in a pipeline.',
    required: { ...deal, ...stage, name: text('200 mugs for the office'), created_at: time() },
    optional: { ...dealDetails, value: money(380_000), expected_close_on: date('2026-05-31') },
  },
  'deal.updated': {
    description: 'Something that is known about a deal was changed, other than its stage.',
    required: { ...deal, changed_fields: changedFields, updated_at: time() },
    optional: { ...dealDetails, value: money(360_000), expected_close_on: date('2026-06-15') },
  },
  'deal.moved': {
    description: 'A deal went to another stage of its pipeline.',
    required: { ...deal, ...stage, previous_stage: text('discovery') },
    optional: { ...dealDetails, probability_percent: percent(60), days_in_previous_stage: count(9), moved_at: time() },
  },
  'deal.won': {
    description: 'A deal ended with a sale: the customer agreed.',
    required: { ...deal, value: money(360_000), won_at: time('2026-05-28T14:00:00Z') },
    optional: { ...dealDetails, contract_id: id('ctr_5'), days_taken: count(75) },
  },
  'deal.lost': {
    description: 'A deal ended without a sale: the customer did not agree or fell silent.',
    required: {
      ...deal,
      reason: choice('price', 'competitor', 'no-decision', 'timing', 'missing-feature', 'other'),
      lost_at: time('2026-05-28T14:00:00Z'),
    },
    optional: { ...dealDetails, value: money(360_000), competitor: text('Tassen GmbH') },
  },
  'deal.reopened': {
    description: 'A deal that had ended is worked on again.',
    required: { ...deal, ...stage, previous_outcome: choice('won', 'lost') },
    optional: { ...dealDetails, reopened_at: time('2026-07-01T09:00:00Z') },
  },
  'quote.created': {
    description: 'An offer with prices was drawn up; the customer has not seen it.',
    required: { ...quote, items: list(lineItem), total: money(360_000) },
    optional: { ...quoteDetails, created_by: id('usr_12'), created_at: time() },
  },
  'quote.sent': {
    description: 'An offer went to the customer and holds until a day.',
    required: { ...quote, total: money(360_000), expires_on: date('2026-04-14'), sent_at: time() },
    optional: { ...quoteDetails, document_url: url('https://shop.example/quotes/44.pdf') },
  },
  'quote.accepted': {
    description: 'The customer took an offer as it was.',
    required: { ...quote, accepted_at: time('2026-04-02T10:00:00Z') },
    optional: { ...quoteDetails, total: money(360_000), signed_by: id('cus_204'), order_id: id('ord_1042') },
  },
  'quote.declined': {
    description: 'The customer did not take an offer.',
    required: { ...quote, declined_at: time('2026-04-02T10:00:00Z') },
    optional: {
      ...quoteDetails,
      reason: choice('price', 'competitor', 'timing', 'scope', 'other'),
      comment: text('Too late for us.'),
    },
  },
  'quote.expired': {
    description: 'The day until which an offer held has passed without an answer.',
    required: { ...quote, expired_on: date('2026-04-14') },
    optional: { ...quoteDetails, total: money(360_000) },
  },
})
