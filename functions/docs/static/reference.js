"use strict";
// Keys that are entered stay in memory: nothing is written to the browser's storage, and reloading forgets them.
SwaggerUIBundle({
  url: "/api/docs/openapi.json",
  domNode: document.getElementById("reference"),
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  // The default sends the document to a validator on another origin.
  validatorUrl: null,
  // Otherwise a crafted link could point the page, and a key entered into it, at somebody else's API.
  queryConfigEnabled: false,
});
