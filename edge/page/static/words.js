// Every English word of the page.
const say = (name) => name.replaceAll("_", " ");
const many = (n, one, more = `${one}s`) => `${n} ${n === 1 ? one : more}`;
const rough = (n) => (n < 10 ? String(Number(n.toPrecision(2))) : Math.round(n).toLocaleString("en"));
const share = (n) => `${Math.round(100 * n)}\u00a0%`;
const at = (threshold) => threshold.toFixed(threshold > 0.99 ? 4 : 2);
const sign = (db) => `${Math.round(db)}`.replace("-", "−");

export const W = {
  skip: "Skip to the content", views: "Views", live: "Live", history: "History", teach: "Teach", calibrate: "Calibrate",
  settings: "Settings",
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
  parts: { source: "Microphone", pace: "Pace", delegate: "Model", update: "Update", calibration: "Calibration", gpio: "Pins", panel: "Buttons and LED",
    mqtt: "MQTT broker", journal: "Journal", model: "Model", version: "Version",
    uptime_seconds: "Up for", waiting_messages: "Waiting for the broker", lost_samples: "Lost samples" },
  duration: (s) => (s < 60 ? `${s.toFixed(s < 1 ? 2 : s < 10 ? 1 : 0)} s` : s < 3600 ? `${Math.round(s / 60)} min`
    : s < 86400 ? `${(s / 3600).toFixed(1)} h` : `${(s / 86400).toFixed(1)} days`),

  // Targets.
  threshold: (target) => `Threshold of ${say(target)}`,
  thresholdValue: (at, by) => `${at.toFixed(2)}, set by ${by || "the settings"}`,
  byCommand: "you", backToSettings: (target) => `Take back the threshold of ${say(target)} that was set here`,
  thresholdTaken: (target, at, more) => `${say(target)}: threshold ${at.toFixed(2)}${more && `: ${more}`}`,
  expecting: "What to expect: the board is asked …", nothingKnown: "What to expect is not known: the target is not calibrated.",
  expectAt: (threshold, taught) => `At ${at(threshold)}${taught ? ", as it was taught" : ""}: `,
  expectAlarms: ({ known, alarms_per_day: n, alarms_upper: most }) => (n === 0 ? `no false alarm was heard (at most ${rough(most)} a day)`
    : `${{ fewer: "fewer than", more: "more than" }[known] || "about"} ${rough(n)} false alarms a day${known === "drawn" ? ", drawn out" : ""} (at most ${rough(most)})`),
  expectMissed: ({ misses }, of) => (misses ? `, ${share(misses[0])} of ${many(of, "recording")} missed (${Math.round(100 * misses[1])} to ${share(misses[2])})` : ""),
  expectRest: ({ recordings, room_hours: room, feedback }, elsewhere) => [".",
    elsewhere && " Other thresholds are not known.", recordings === null && " How many are missed is not known.",
    room === null && " This room was not heard.", feedback && " Feedback has changed it since.",
  ].filter(Boolean).join(""),
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
  noCookie: "That is the password, but the browser keeps no login here. It keeps none inside another site's page: open this page by itself.",
  tooMany: (wanted) => `Too many wrong passwords. Wanted: ${wanted}.`,

  // History.
  target: "Target", all: "All targets", csv: "↓ CSV", csvLong: "Download as CSV", heat: "Events by day and hour", more: "Show more",
  earlierDay: "A day earlier", laterDay: "A day later", today: "Today", yesterday: "Yesterday",
  nothing: "Nothing was heard that day.",
  cell: (day, hour, n) => `${day}, ${hour}:00 to ${hour + 1}:00: ${many(n, "event")}`,
  heatLabel: (n, days, zone) => `${many(n, "event")} in ${many(days, "day")}. A row is a day, a column an hour of the board’s clock (${zone}).`,
  dayTotal: (day, n) => `${day}: ${many(n, "event")}`,

  // Lessons: teach and calibrate.
  stopIt: "Stop", keep: "Keep", force: "Keep all the same", discard: "Discard", answering: "A moment …",
  otherRuns: { teach: (name) => `The sound ${say(name || "")} is being taught. One lesson at a time.`,
    calibrate: () => "A calibration runs. One lesson at a time." },
  ended: (reason) => `It ended: ${reason || "nobody knows why"}. Nothing was kept.`,
  serverEnded: "the page’s server stopped", failed: (told) => `${told.thing ? `${told.thing}: ` : ""}found ${told.found}; wanted ${told.wanted}.`,
  through: { true: "Heard through the running appliance. The sound stays on the board, and is not kept.",
    false: "Heard by the microphone itself. The sound stays on the board, and is not kept." },

  teachTitle: "Teach a sound", teachLead: "Make the sound some times where the microphone hears it. The board then hears it as a target of that name.",
  soundName: "Name", soundNameHint: "Such as our doorbell. The name of a clap, snap, knock, key or tap adds yours to the model’s own.",
  soundCount: "How many times", soundKind: "Kind", begin: "Begin",
  measured: "As the recordings say", impulsive: "Without length: each one counts", lasting: "With length: from start to end",
  teaching: (name) => `Teaching ${say(name || "")}`, settles: "Quiet, please: the room is heard first.",
  nowMake: (n, of) => (n ? `${n} of ${of} taken. Make the sound again, a second apart or more.` : `Now make the sound. Wanted: ${of} times, a second apart or more.`),
  notTaken: ({ found, wanted }) => `Not taken: found ${found}; wanted ${wanted}.`,
  levelOver: (level, room) => `${sign(level)} dBFS${room === null ? "" : `, the room ${sign(room)}`}`,
  take: (n, seconds, loudest) => `Recording ${n}: ${W.duration(seconds)}, ${sign(loudest)} dBFS at its loudest; taken`,
  takeFacts: (seconds, loudest) => `${W.duration(seconds)} · ${sign(loudest)} dBFS`,
  waits: (n) => `Recording ${n}: not made yet`, takes: "Recordings",
  fitting: "Learning. On a small board this takes a minute.",
  outcomes: { well: "How well this will be heard", badly: "This cannot be told apart" },
  teachOutcome: ({ row, hears = [], refused, collisions = [], groups, own }) => {
    const heard = Math.round(row.recall * row.recordings), looked = row.by === "looks";
    const without = groups === 1 || groups === row.recordings || !groups ? "itself" : `those that sound like it (${groups} groups)`;
    return [
      refused && `Refused: ${refused}.`,
      `Of ${row.recordings} recordings, each judged without ${without}, ${heard} would be heard.`,
      `An hour of ${looked ? "talk, music and machines" : "varied sound"} brings ${rough(row.alarms_per_hour)} false alarms, at most ${rough(row.alarms_upper)} (95\u00a0%).`,
      groups === 1 && "The recordings sound alike, so this says little of another day, distance or room. Teach the sound from there too.",
      own !== null && own !== undefined && `The model’s own ${say(row.name)} hears ${own} of them. What you teach adds to it.`,
      row.sound === "impulsive" ? "A sound without length: one event for each onset." : "A sound with length: one event from its start to its end.",
      hears.length > 0 && `Heard already as ${hears.map(say).join(", ")}.`,
      collisions.length > 0 && `Nearest to it: ${collisions.map((name) => say(name.replace(/^neg_/, ""))).join(", ")}.`,
    ].filter(Boolean);
  },
  taught: "Taught sounds", noneTaught: "Nothing was taught yet.", undo: "Undo the last step", undone: (what) => `Undone: ${say(what)}.`,
  taughtRow: (row) => `${Math.round(row.recall * row.recordings)} of ${row.recordings} would be heard · ${rough(row.alarms_per_hour)} false alarms an hour${row.forced ? " · kept all the same" : ""}`,
  kept: { teach: ({ name, words }) => `Kept: ${say(name)}; ${words}.`,
    calibrate: ({ targets = [], words }) => `Kept for ${many(targets.length, "target")}; ${words}.` },
  dropped: "Discarded. Nothing was kept.",

  calibrateTitle: "Calibrate to this room",
  calibrateLead: "The board hears the room for some minutes, and sets each threshold for the false alarms that you allow. Make none of the sounds meanwhile: what is heard counts as a false alarm.",
  minutes: "Minutes", budget: "False alarms of each target, at most",
  budgets: { "1/hour": "one an hour", "1/day": "one a day", "1/week": "one a week" }, which: "Targets",
  calibrating: "Calibrating to this room", roomHeard: (seconds, of) => `${W.duration(seconds)} of ${W.duration(of)} heard.`,
  progress: "Of the room heard", begins: "It begins.", setting: "Setting thresholds.", calibrated: "What the room says",
  calibrateOutcome: (row) => [
    `Threshold ${at(row.threshold)}${typeof row.before === "number" ? `, before ${at(row.before)}` : ""}.`,
    row.threshold > 0.99 && "Hardly any sound reaches so high a threshold. Was this one made meanwhile?",
    row.alarms_per_day !== null && `${rough(row.alarms_per_day)} false alarms a day${row.alarms_upper === null ? "" : `, at most ${rough(row.alarms_upper)} (95\u00a0%)`}.`,
    row.misses && `Misses ${share(row.misses[0])} of the recordings of it.`,
    row.misses && row.misses_without_room && `The room costs ${share(Math.max(0, row.misses[0] - row.misses_without_room[0]))} of them.`,
    row.threshold_for_budget > row.threshold && row.misses_for_budget && `Held back: to stay within the budget it would take ${at(row.threshold_for_budget)}, and miss ${share(row.misses_for_budget[0])}.`,
  ].filter(Boolean).join(" "),
  allWords: "All that the calibration says",

  // Settings.
  settingsTitle: "Settings", settingsFile: (file) => (file ? `As ${file} has them.` : "No file of settings: every key has its default."),
  lookAgain: "Look again", looking: "Looking …", settingsWell: "Nothing is wrong.", settingsWrong: (n) => `${many(n, "thing")} to mend.`,
  checks: { settings: "Settings", state: "State directory", model: "Model", looks: "Look network", delegate: "Delegate", pace: "Pace", calibration: "Calibration",
    target: "Targets", source: "Microphone", microphone: "Microphone", broker: "MQTT broker", tls: "TLS", secrets: "Secrets", pins: "Pins", commands: "Commands", log: "Log",
    journal: "Journal", service: "Service", command: "Source", sinks: "Parts", mqtt: "MQTT broker", gpio: "Pins", panel: "Buttons and LED", watch: "Watch socket" },
  whatToDo: (advice) => `What to do: ${advice}`, isWell: "ok", isWrong: "wrong",
};
