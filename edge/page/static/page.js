// Shows that the live stream works.
const show = (id, text) => { document.getElementById(id).textContent = text; };
const live = new EventSource("api/live?bands=1");
live.onmessage = (message) => {
  const told = JSON.parse(message.data);
  if (told.kind === "hello") show("state", told.away || `hearing: ${told.about.device}`);
  if (told.kind === "away") show("state", told.reason);
  if (told.kind === "hearing") show("level", `${told.level_dbfs} dBFS over ${told.noise_dbfs} dBFS`);
  if (told.kind === "event") show("event", `${told.event.target} ${told.event.phase} ${told.event.started_at}`);
};
live.onerror = () => show("state", "the page's server does not answer");
