// Every English word of the page.
const say = (name) => name.replaceAll("_", " ");
const many = (n, one, more = `${one}s`) => `${n} ${n === 1 ? one : more}`;

export const W = {
  skip: "Skip to the content", views: "Views", live: "Live", history: "History",
  level: "Level", targets: "Targets", events: "Events", pins: "Pins", health: "Health",
  noEvents: "Nothing yet. Clap!", spectrogram: "Spectrogram: the last seconds of sound, low to high",
  name: say,
  dbfs: (db) => `${db.toFixed(1).replace("-", "−")} dBFS`,
  noise: (db) => `noise ${db.toFixed(1).replace("-", "−")}`,
  gateOpen: "gate open", gateClosed: "gate closed",
  levelNow: (level, noise) => `${level} dBFS, ${Math.round(level - noise)} dB over the noise`,
  secondsAgo: (s) => (s ? `−${s} s` : "now"),

  // How the appliance is.
  seeking: "Looking for the appliance", hearing: "Hearing", muted: "Muted", trouble: "Trouble",
  away: "Away", serverAway: "No connection",
  awayNotice: (why) => `The appliance is away: ${why}. The page looks for it by itself.`,
  back: "The appliance is back.",
  allWell: "All is well.",
  parts: { source: "Microphone", delegate: "Model", update: "Update", calibration: "Calibration", gpio: "Pins", panel: "Buttons and LED",
    mqtt: "MQTT broker", journal: "Journal", model: "Model", version: "Version",
    uptime_seconds: "Up for", waiting_messages: "Waiting for the broker", lost_samples: "Lost samples" },
  duration: (s) => (s < 60 ? `${s.toFixed(s < 1 ? 2 : s < 10 ? 1 : 0)} s` : s < 3600 ? `${Math.round(s / 60)} min`
    : s < 86400 ? `${(s / 3600).toFixed(1)} h` : `${(s / 86400).toFixed(1)} days`),

  // Targets.
  threshold: (target) => `Threshold of ${say(target)}`,
  thresholdValue: (at, by) => `${at.toFixed(2)}, set by ${by || "the settings"}`,
  byCommand: "you", backToSettings: (target) => `Take back the threshold of ${say(target)} that was set here`,
  thresholdTaken: (target, at) => `${say(target)}: threshold ${at.toFixed(2)}`,
  labels: "The highest labels", allEvents: "All events",
  probability: (p) => p.toFixed(2), against: (p, at) => `${p === null ? "–" : p.toFixed(2)} / ${at.toFixed(2)}`,
  kinds: { pattern: ({ of }) => `pattern of ${say(of)}`, loudness: (told) => `louder by ${told.louder_db} dB`,
    alarm: ({ rhythm }) => `rhythm ${say(rhythm)}` },

  // Events.
  running: "goes on", level_: (db) => `${db.toFixed(0).replace("-", "−")} dBFS`,
  right: "Right", wrong: "Wrong",
  judge: (says, target, time) => `${W[says]}: ${say(target)} at ${time}`, judging: "Learning …",
  judged: { right: "Learnt: this was right.", wrong: "Learnt: this was wrong." },
  notJudged: (why) => `Not learnt. ${why}`,
  announce: (counts) => `Heard ${counts.map(([target, n]) => (n === 1 ? say(target) : `${n} times ${say(target)}`)).join(", ")}`,
  sound: (target, time) => `Play the sound of ${say(target)} at ${time}`, play: "Play", stop: "Stop", noSound: "The sound cannot be played.",

  // Commands.
  mute: "Mute", unmute: "Unmute", muteFor: "Mute for how long",
  mutes: [[600, "10 minutes"], [3600, "1 hour"], [null, "Until unmuted"]],
  mutedNow: "Muted: nothing is heard.",
  on: "on", off: "off", test: "Test", testPin: (pin) => `Test ${pin}`, tested: (pin) => `${pin} was tested.`,
  refused: (told) => told.error || `Found ${told.found}; wanted ${told.wanted}.`,
  noAnswer: "The page’s server does not answer. The page tries again by itself.",

  // Login.
  loginTitle: "Log in", password: "Password", login: "Log in", logout: "Log out", wrongPassword: "That is not the password.",
  tooMany: (wanted) => `Too many wrong passwords. Wanted: ${wanted}.`,

  // History.
  target: "Target", all: "All targets", csv: "↓ CSV", csvLong: "Download as CSV", heat: "Events by day and hour", more: "Show more",
  earlierDay: "A day earlier", laterDay: "A day later", today: "Today", yesterday: "Yesterday",
  nothing: "Nothing was heard that day.",
  cell: (day, hour, n) => `${day}, ${hour}:00 to ${hour + 1}:00: ${many(n, "event")}`,
  heatLabel: (n, days, zone) => `${many(n, "event")} in ${many(days, "day")}. A row is a day, a column an hour of the board’s clock (${zone}).`,
  dayTotal: (day, n) => `${day}: ${many(n, "event")}`,
};
