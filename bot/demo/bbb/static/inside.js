// Keeps the list of people fresh; loads the page anew when more than that has changed.
"use strict";

const people = document.getElementById("people");
const count = document.getElementById("count");

function show(now) {
  people.replaceChildren(...now.map((person) => {
    const item = document.createElement("li");
    item.textContent = `${person.name} (${person.role})`;
    return item;
  }));
  const words = `${now.length} in the meeting`;
  if (count.textContent !== words) count.textContent = words;
}

async function look() {
  const answer = await fetch(`/html5client/state${location.search}`);
  if (!answer.ok) return;
  const now = await answer.json();
  if (now.fingerprint !== people.dataset.fingerprint) location.reload();
  else if (count) show(now.people);
}

setInterval(() => look().catch(() => {}), 2000);
