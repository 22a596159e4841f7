// Says that what is shown is old while the server does not answer what is looked at again and again.
"use strict";

const stale = (is) => {
  const note = document.getElementById("stale");
  if (note) note.hidden = !is;
};

for (const name of ["htmx:response:error", "htmx:error"]) document.addEventListener(name, () => stale(true));
document.addEventListener("htmx:after:swap", () => stale(false));
