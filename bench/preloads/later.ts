/** Loaded before the hub: its wall clock shows a hundred days from now, so that everything stored has outlived retention. */
const dateNow = Date.now
const laterMs = 100 * 86_400_000

Date.now = () => dateNow() + laterMs
