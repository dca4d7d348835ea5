import { money, utm } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, count, flag, id, list, object, percent, text, time, url } from './schema.ts'

const campaign = { campaign_id: id('cmp_12') }
const channel = choice('email', 'sms', 'push', 'whatsapp', 'ad', 'post', 'mixed')
const contact = { contact_id: id('cus_204') }
const segment = { segment_id: id('seg_5') }
const tag = { tag: text('wholesale') }
const tagged = object({ type: text('customer'), id: id('cus_204') })
const ad = { ad_id: id('ad_40') }
const adDetails = { campaign_id: id('cmp_12'), network: text('search'), placement: text('results-top') }

export const campaigns = defineDomain('campaign', 'Campaigns, segments, tags and advertisements.', {
  'campaign.created': {
    description: 'A campaign was drawn up; nobody has received anything.',
    required: { ...campaign, name: text('Spring 2026'), channel, created_at: time() },
    optional: { owner_id: id('usr_12'), goal: text("sell last year's mugs"), budget: money(250_000), utm },
  },
  'campaign.scheduled': {
    description: 'A campaign got a time at which it will start.',
    required: { ...campaign, starts_at: time('2026-03-20T08:00:00Z') },
    optional: { ends_at: time('2026-04-20T08:00:00Z'), segment_ids: list(id('seg_5')), audience_size: count(4200) },
  },
  'campaign.started': {
    description: 'A campaign began to reach people.',
    required: { ...campaign, channel, started_at: time('2026-03-20T08:00:00Z') },
    optional: { audience_size: count(4200) },
  },
  'campaign.paused': {
    description: 'A campaign reaches nobody until it is resumed.',
    required: { ...campaign, paused_at: time('2026-03-21T08:00:00Z') },
    optional: { paused_by: id('usr_12'), reason: text('A link was wrong.') },
  },
  'campaign.resumed': {
    description: 'A campaign that was paused goes on.',
    required: { ...campaign, resumed_at: time('2026-03-21T10:00:00Z') },
    optional: { resumed_by: id('usr_12') },
  },
  'campaign.completed': {
    description: 'A campaign reached everybody it was meant for, or its end.',
    required: { ...campaign, completed_at: time('2026-04-20T08:00:00Z'), reached: count(4180) },
    optional: { conversions: count(96), revenue: money(412_000), cost: money(180_000) },
  },
  'campaign.cancelled': {
    description: 'A campaign was given up before its end.',
    required: { ...campaign, reason: text('The product was recalled.'), cancelled_at: time('2026-03-22T08:00:00Z') },
    optional: { reached: count(310) },
  },
  'campaign_member.added': {
    description: 'A contact was taken into a campaign.',
    required: { ...campaign, ...contact, added_by: choice('segment', 'form', 'staff', 'import', 'api') },
    optional: { segment_id: id('seg_5'), added_at: time() },
  },
  'campaign_member.removed': {
    description: 'A contact left a campaign before its end.',
    required: { ...campaign, ...contact, reason: choice('converted', 'unsubscribed', 'segment', 'staff') },
    optional: { step: text('second e-mail'), removed_at: time('2026-03-23T08:00:00Z') },
  },
  'segment.created': {
    description: 'A rule or a list was made that divides the contacts.',
    required: { ...segment, name: text('Bought twice'), kind: choice('rule', 'list') },
    optional: { rule: text('orders >= 2'), contact_count: count(812), created_at: time() },
  },
  'segment.updated': {
    description: 'The rule or the name of a segment was changed.',
    required: { ...segment, updated_at: time() },
    optional: { name: text('Bought three times'), rule: text('orders >= 3'), contact_count: count(240) },
  },
  'segment.entered': {
    description: 'A contact fits a segment from now on.',
    required: { ...segment, ...contact, entered_at: time() },
    optional: { segment_name: text('Bought twice') },
  },
  'segment.left': {
    description: 'A contact does not fit a segment any more.',
    required: { ...segment, ...contact, left_at: time() },
    optional: { segment_name: text('Bought twice'), days_inside: count(90) },
  },
  'tag.assigned': {
    description: 'A tag was put on a customer, an order or another thing.',
    required: { ...tag, tagged },
    optional: { assigned_by: id('usr_12'), assigned_at: time() },
  },
  'tag.removed': {
    description: 'A tag was taken off the thing that it was on.',
    required: { ...tag, tagged, is_tag_deleted: flag(false) },
    optional: { removed_by: id('usr_12'), removed_at: time() },
  },
  'ad.published': {
    description: 'An advertisement can be shown from now on.',
    required: { ...ad, landing_url: url('https://shop.example/spring'), published_at: time() },
    optional: { ...adDetails, daily_budget: money(5000) },
  },
  'ad.rejected': {
    description: 'A network refused to show an advertisement.',
    required: { ...ad, network: text('search'), reason: text('The text promises too much.') },
    optional: { campaign_id: id('cmp_12'), rejected_at: time() },
  },
  'ad.shown': {
    description: 'An advertisement was in sight of somebody.',
    required: { ...ad, impression_id: id('imp_9a'), shown_at: time() },
    optional: { ...adDetails, visible_percent: percent(80), cost: money(1) },
  },
  'ad.clicked': {
    description: 'Somebody followed an advertisement.',
    required: { ...ad, click_id: id('clk_3f'), landing_url: url('https://shop.example/spring') },
    optional: { ...adDetails, impression_id: id('imp_9a'), cost: money(38), clicked_at: time() },
  },
  'ad.converted': {
    description: 'Somebody who had followed an advertisement did what it was for.',
    required: { ...ad, click_id: id('clk_3f'), goal: choice('order', 'lead', 'sign-up', 'call', 'other') },
    optional: { ...adDetails, value: money(5400), order_id: id('ord_1042'), converted_at: time() },
  },
  'ad_budget.exhausted': {
    description: 'The money for advertisements of a campaign is spent; they are not shown until there is more.',
    required: { ...campaign, spent: money(5000), period: choice('day', 'month', 'campaign') },
    optional: { network: text('search'), exhausted_at: time() },
  },
})
